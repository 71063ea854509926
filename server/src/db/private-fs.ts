import { NodeFS } from '@electric-sql/pglite/nodefs';

/** Of the engine's file system, what makes files and what gives them their mode. */
interface Inside {
  NODEFS?: {
    node_ops: { mknod: Make };
    doSetAttr: (at: unknown, node: unknown, what: { mode?: number }, ...ways: unknown[]) => unknown;
  };
}
type Make = (parent: unknown, name: string, mode: number, device: unknown) => unknown;

const own = (mode: number): number => mode & ~0o077;

/**
 * The engine's files on disk, each its owner's alone. The engine gives every file that it makes mode 0666, after it was made,
 * whatever the process's umask says.
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
