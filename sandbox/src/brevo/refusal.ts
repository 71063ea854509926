/** Brevo's answer to a request that it does not take: `{code, message, metadata?}`. */
export class BrevoRefusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly metadata?: Readonly<Record<string, unknown>>,
  ) {
    super(message);
  }

  get body(): Record<string, unknown> {
    const { code, message, metadata } = this;
    return { code, message, ...(metadata && { metadata }) };
  }
}

export const invalid = (message: string) => new BrevoRefusal(400, 'invalid_parameter', message);
export const missing = (message: string) => new BrevoRefusal(400, 'missing_parameter', message);
export const unknown = (message: string) => new BrevoRefusal(404, 'document_not_found', message);
