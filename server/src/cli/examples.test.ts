import type { Command } from 'commander';
import { registerEnvelopeCommands } from './envelope.ts';
import { examples } from './examples.ts';
import { buildProgram } from './program.ts';

/** The help of each command that does something, by its whole name. */
function helps(command: Command, path: readonly string[] = []): [string, string][] {
  const chunks: string[] = [];
  command.configureOutput({ writeOut: (chunk) => void chunks.push(chunk) });
  const isGroup = command.commands.length > 0 && !['alarms', 'completeness'].includes(command.name());
  if (!isGroup) command.outputHelp();
  const own: [string, string][] = isGroup ? [] : [[path.join(' '), chunks.join('')]];
  return [...own, ...command.commands.flatMap((below) => helps(below, [...path, below.name()]))];
}

function program(): Command {
  const more = [(command: Command) => registerEnvelopeCommands(command, () => ({}) as never)];
  return buildProgram({ version: '1.2.3', serve: async () => undefined, more });
}

test('there is no example of a command that the program lacks', () => {
  const commands = helps(program()).map(([name]) => name);
  expect(Object.keys(examples).filter((name) => !commands.includes(name))).toEqual([]);
});

test.each(helps(program()))(
  'the help of %s ends with an example that the program takes',
  async (name, help) => {
    const [, example = ''] = /\nExample:\n {2}flex-custody (.*)\n$/.exec(help) ?? [];
    expect(`${example} `.startsWith(`${name} `)).toBe(true);
    const run: string[] = [];
    const listen = (command: Command, path: readonly string[]) => {
      command.action(() => void run.push(path.join(' ')));
      for (const below of command.commands) listen(below, [...path, below.name()]);
    };
    const all = program();
    for (const command of all.commands) listen(command, [command.name()]);
    await all.parseAsync(['node', 'flex-custody', ...example.split(' ')]);
    expect(run).toEqual([name]);
  },
);
