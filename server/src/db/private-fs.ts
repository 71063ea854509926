import { NodeFS } from '@electric-sql/pglite/nodefs';

/** The parts of the engine's file system that make files and set their mode. */
interface Inside {
  NODEFS?: {
    node_ops: { mknod: Make };
    doSetAttr: (at: unknown, node: unknown, what: { mode?: number }, ...ways: unknown[]) => unknown;
  };
}
type Make = (parent: unknown, name: string, mode: number, device: unknown) => unknown;

const own = (mode: number): number => mode & ~0o077;

/**
 * The engine's files on disk, readable by their owner only. The engine itself sets mode 0666 on every file that it has made,
 * whatever the process's umask is.
 */
export class PrivateFS extends NodeFS {
  override async init(...[pg, options]: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(pg, options);
    const closing = ({ NODEFS }: Inside) => {
      if (!NODEFS) return;
      const { doSetAttr, node_ops } = NODEFS;
      const { mknod } = node_ops;
      NODEFS.doSetAttr = (at, node, what, ...ways) =>
        doSetAttr(at, node, what.mode === undefined ? what : { ...what, mode: own(what.mode) }, ...ways);
      node_ops.mknod = (parent, name, mode, device) => mknod(parent, name, own(mode), device);
    };
    const preRun = [closing as never, ...[emscriptenOpts.preRun ?? []].flat()];
    return { emscriptenOpts: { ...emscriptenOpts, preRun } };
  }
}
