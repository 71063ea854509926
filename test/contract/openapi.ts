import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv, { type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

/** One request and its answer, as they went over the wire. */
export interface Exchange {
  method: string;
  url: URL;
  form: Record<string, unknown>;
  status: number;
  body: unknown;
}

interface Operation {
  parameters?: { name: string; in: string; required?: boolean; schema: Json }[];
  requestBody?: { content: Record<string, { schema: { properties?: Json; required?: string[] } }> };
  responses: Record<string, { content?: Record<string, { schema: Json }> }>;
}
type Json = Record<string, unknown>;
type Paths = Record<string, Record<string, Operation>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * OpenAPI 3.0's schemas as JSON Schema: `nullable` becomes a type of its own, and an object may hold nothing that the
 * description does not name, so that the double cannot grow fields that Twilio lacks.
 */
function converted(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(converted);
  if (!isObject(schema)) return schema;
  const { nullable, ...rest } = schema;
  const plain: Json = Object.fromEntries(
    Object.entries(rest)
      .filter(([name]) => !name.startsWith('x-') && name !== 'example' && name !== 'default')
      .map(([name, value]) => [name, converted(value)]),
  );
  if (isObject(plain['properties'])) {
    plain['additionalProperties'] = false;
    plain['required'] = Object.keys(plain['properties']);
  }
  // Of an enumeration Twilio says only in words that it may be null.
  const inWords = 'enum' in plain && /will be `null`/.test(String(plain['description']));
  return nullable === true || inWords ? { anyOf: [{ type: 'null' }, plain] } : plain;
}

/** One of Twilio's API descriptions, to hold exchanges against. */
export class Description {
  readonly #ajv = new Ajv({ strict: false, allErrors: true });
  readonly #paths: Paths;
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(name: string) {
    const file = join(process.env['TWILIO_OAI_DIR'] ?? '', `${name}.json`);
    const text = readFileSync(file, 'utf8').replaceAll('"#/components/', '"description#/components/');
    const document = JSON.parse(text) as { paths: Paths; components: Json };
    this.#paths = document.paths;
    addFormats(this.#ajv);
    // Twilio calls paths and whole URLs alike `uri`.
    this.#ajv.addFormat('uri', /^(https:\/\/|\/).+/);
    this.#ajv.addFormat(
      'date-time-rfc-2822',
      /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} \+0000$/,
    );
    this.#ajv.addFormat('currency', /^[A-Z]{3}$/);
    this.#ajv.addFormat('uri-map', true);
    this.#ajv.addSchema({ $id: 'description', components: converted(document.components) });
  }

  /** What is wrong with the exchange; empty when it is as described. Refusals have no description but their shape. */
  violations(exchange: Exchange): string[] {
    const path = exchange.url.pathname;
    const found = Object.entries(this.#paths).find(([template]) => pathPattern(template).test(path));
    const operation = found?.[1][exchange.method.toLowerCase()];
    if (!found || !operation) return [`${exchange.method} ${path} is not in the description`];
    const answer = exchange.status < 400 ? this.#answer(found[0], operation, exchange) : refusal(exchange);
    return [...this.#request(operation, exchange), ...answer];
  }

  #request(operation: Operation, { url, form }: Exchange): string[] {
    const query = (operation.parameters ?? []).filter((one) => one.in === 'query').map((one) => one.name);
    const schema = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
    const fields = Object.keys(schema?.properties ?? {});
    const unknown = (kind: string, names: Iterable<string>, known: string[]) =>
      [...names].filter((name) => !known.includes(name)).map((name) => `${kind} ${name} is not described`);
    const missing = (schema?.required ?? []).filter((name) => !(name in form));
    return [
      ...unknown('query', url.searchParams.keys(), query),
      ...unknown('field', Object.keys(form), fields),
      ...missing.map((name) => `field ${name} is required`),
    ];
  }

  #answer(template: string, operation: Operation, { method, status, body }: Exchange): string[] {
    const described = operation.responses[String(status)];
    if (!described) return [`status ${status} is not described`];
    const schema = described.content?.['application/json']?.schema;
    if (!schema) return [];
    const key = `${method} ${template} ${status}`;
    const validate = this.#validators.get(key) ?? this.#ajv.compile(converted(schema) as Json);
    this.#validators.set(key, validate);
    if (validate(body)) return [];
    return (validate.errors ?? []).map(
      (error) => `${error.instancePath || 'body'} ${error.message} ${JSON.stringify(error.params)}`,
    );
  }
}

function pathPattern(template: string): RegExp {
  const literal = template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '([^/]+?)');
  return new RegExp(`^${literal}$`);
}

function refusal({ status, body }: Exchange): string[] {
  const fits =
    isObject(body) &&
    body['status'] === status &&
    typeof body['code'] === 'number' &&
    typeof body['message'] === 'string' &&
    String(body['more_info']).startsWith('https://www.twilio.com/docs/errors/');
  return fits ? [] : [`a refusal of ${status} in another shape: ${JSON.stringify(body)}`];
}
