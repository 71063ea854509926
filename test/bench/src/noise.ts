/** The same noise in every run. */
export function whiteNoise(bytes: number): Buffer {
  const noise = Buffer.alloc(bytes);
  for (let index = 0, seed = 1; index < noise.length; index++) {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    noise[index] = seed >> 16;
  }
  return noise;
}

/** Of a WAV of so many bytes, two channels of 8 kHz and 16 bit. */
export function wavHeader(total: number): Buffer {
  const wav = Buffer.alloc(44);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(total - 8, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(2, 22);
  wav.writeUInt32LE(8000, 24);
  wav.writeUInt32LE(32000, 28);
  wav.writeUInt16LE(4, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(total - 44, 40);
  return wav;
}
