/**
 * The part of Twilio's runtime that our Functions use, written down here so that a test can stand in for it.
 * Source: https://www.twilio.com/docs/serverless/functions-assets/functions/invocation
 */
export interface RuntimeResponse {
  setStatusCode(status: number): unknown;
  setBody(body: string | object): unknown;
  appendHeader(name: string, value: string): unknown;
}

/** Environment variables, and `ACCOUNT_SID`/`AUTH_TOKEN`, which the platform adds. */
export type Context = Readonly<Record<string, unknown>>;

/** Query and form fields in one object; `request` holds headers and cookies. */
export type Event = Readonly<Record<string, unknown>>;

export type Callback = (error: null, response: RuntimeResponse) => void;

/** Runtime Handler 2.0.1 ignores what a handler returns: the answer is passed to `callback`, always. */
export type Handler = (context: Context, event: Event, callback: Callback) => Promise<void>;

export interface Answer {
  status: number;
  /** An object becomes JSON; a text is sent as it is. */
  body: Readonly<Record<string, unknown>> | string;
  headers?: Readonly<Record<string, string>>;
}

type ResponseClass = new () => RuntimeResponse;

/** Turns our answer into the runtime's own class, the only one whose status code the runtime honours. */
export function toResponse(answer: Answer): RuntimeResponse {
  const { Twilio } = globalThis as typeof globalThis & { Twilio: { Response: ResponseClass } };
  const response = new Twilio.Response();
  response.setStatusCode(answer.status);
  const { body, headers = {} } = answer;
  const isText = typeof body === 'string';
  response.appendHeader('Content-Type', isText ? 'text/plain; charset=utf-8' : 'application/json');
  for (const [name, value] of Object.entries(headers)) response.appendHeader(name, value);
  response.setBody(isText ? body : { ...body });
  return response;
}
