/** What a person or a test asked for cannot be done; the message is for them. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}
