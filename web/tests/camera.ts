import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { create } from 'qrcode';

/** Chromium's pretended camera films what is in this file, over and over; `deny` presses no on the question. */
export function cameraArguments(film: string, answer: 'allow' | 'deny' = 'allow'): string[] {
  return [
    '--use-fake-device-for-media-stream',
    `--use-fake-ui-for-media-stream${answer === 'deny' ? '=deny' : ''}`,
    `--use-file-for-fake-video-capture=${film}`,
  ];
}

/** A film of a code that somebody holds before the camera, somewhat out of its middle. Empty text: nobody there. */
export function filmOf(folder: string, name: string, text: string): string {
  const [width, height] = [640, 480];
  const luma = drawn(text, width, height, { x: 140, y: 50, side: 380 });
  const chroma = Buffer.alloc((width * height) / 2, 128);
  const frame = Buffer.concat([Buffer.from('FRAME\n'), luma, chroma]);
  const file = join(folder, `${name}.y4m`);
  writeFileSync(file, Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F30:1 Ip A1:1 C420jpeg\n`), frame]));
  return file;
}

/** A picture of a code, as a PNG in shades of grey. */
export function photoOf(text: string): Buffer {
  const side = 700;
  const luma = drawn(text, side, side, { x: 60, y: 80, side: 560 });
  const rows = Buffer.concat(
    Array.from({ length: side }, (_, y) => Buffer.concat([Buffer.of(0), luma.subarray(y * side, (y + 1) * side)])),
  );
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function drawn(text: string, width: number, height: number, at: { x: number; y: number; side: number }): Buffer {
  const pixels = Buffer.alloc(width * height, 170);
  if (text === '') {
    return pixels;
  }
  const { size, data } = create(text, { errorCorrectionLevel: 'M' }).modules;
  const quiet = 4;
  const module = at.side / (size + 2 * quiet);
  for (let y = 0; y < at.side; y++) {
    for (let x = 0; x < at.side; x++) {
      const [column, row] = [Math.floor(x / module) - quiet, Math.floor(y / module) - quiet];
      const isInside = column >= 0 && row >= 0 && column < size && row < size;
      pixels[(at.y + y) * width + at.x + x] = isInside && data[row * size + column] ? 25 : 235;
    }
  }
  return pixels;
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), content]);
  const framed = Buffer.alloc(8 + body.length);
  framed.writeUInt32BE(content.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), 4 + body.length);
  return framed;
}

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
  }
  return (crc ^ 0xffffffff) >>> 0;
}
