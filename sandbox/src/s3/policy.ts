/** One statement of an IAM policy, as far as docs/deploy.md needs it. */
export interface Statement {
  Sid: string;
  Effect: 'Allow' | 'Deny';
  Action: string | readonly string[];
  Resource: string | readonly string[];
}

/** Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html */
export interface Policy {
  Version: '2012-10-17';
  Statement: readonly Statement[];
}

export type Verdict = 'allowed' | 'denied' | 'not-allowed';

/** What the policies name where a site writes the name of a bucket. */
const placeholder = /YOUR-BUCKET|OLD-BUCKET/g;

/** The same for this bucket. */
export const policyOf = (policy: Policy, bucket: string): Policy =>
  JSON.parse(JSON.stringify(policy).replaceAll(placeholder, bucket)) as Policy;

/** The same without these rights, as in a policy that is older than they are. */
export const without = (policy: Policy, actions: RegExp): Policy => ({
  ...policy,
  Statement: policy.Statement.map((one) => ({
    ...one,
    Action: listed(one.Action).filter((action) => !actions.test(action)),
  })),
});

const listed = (one: string | readonly string[]): readonly string[] =>
  typeof one === 'string' ? [one] : one;

/** `*` is any text, slashes included, and `?` any character. */
function matches(pattern: string, text: string, flags = ''): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, `s${flags}`).test(text);
}

/**
 * What an identity with this policy may do: a Deny wins over every Allow, and what nothing allows is refused.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function judge({ Statement: statements }: Policy, action: string, resource: string): Verdict {
  const fitting = statements.filter(
    ({ Action, Resource }) =>
      listed(Action).some((pattern) => matches(pattern, action, 'i')) &&
      listed(Resource).some((pattern) => matches(pattern, resource)),
  );
  if (fitting.some(({ Effect }) => Effect === 'Deny')) return 'denied';
  return fitting.length > 0 ? 'allowed' : 'not-allowed';
}
