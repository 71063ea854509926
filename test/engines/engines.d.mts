export type EngineName = 'radosgw' | 'postgresql';
export const radosgwUser: { accessKeyId: string; secretAccessKey: string };
export function isInstalled(name: EngineName): boolean;
export function createEngines(folder: string): {
  start(name: EngineName): Promise<string>;
  crash(name: EngineName): void;
  stop(): void;
};
