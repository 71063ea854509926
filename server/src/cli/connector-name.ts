import { Argument } from 'commander';

/** The CRM that a command is about. */
export const connectorArgument = () => new Argument('<connector>', 'which CRM').choices(['brevo']);
