/** The longer side of what is looked at in a video: a code that fills a third of it has three pixels per module. */
const videoMaxPx = 960;
/** A photograph may show its code small, or so large that its grain gets in the way. */
const photoSidesPx = [1600, 1000, 500];
/** What phones take has a few megabytes. */
const photoMaxBytes = 32 * 1024 * 1024;

/** `tooLarge` and `noPicture` are what a file is; `noCode` is a picture without one. */
export type PhotoTrouble = 'tooLarge' | 'noPicture' | 'noCode';

/** What a video shows now; null before its first picture. */
export function frameOf(video: HTMLVideoElement): ImageData | null {
  const { videoWidth, videoHeight } = video;
  return videoWidth > 0 && videoHeight > 0 ? draw(video, videoWidth, videoHeight, videoMaxPx) : null;
}

/** Reads the code in a file that somebody chose, in several sizes, because readers like some better than others. */
export async function readPhoto(
  file: Blob,
  read: (picture: ImageData) => Promise<string | null>,
): Promise<{ text: string } | { trouble: PhotoTrouble }> {
  if (file.size > photoMaxBytes) {
    return { trouble: 'tooLarge' };
  }
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return { trouble: 'noPicture' };
  }
  try {
    for (const side of photoSidesPx) {
      const text = await read(draw(bitmap, bitmap.width, bitmap.height, side));
      if (text !== null) {
        return { text };
      }
    }
    return { trouble: 'noCode' };
  } finally {
    bitmap.close();
  }
}

function draw(source: CanvasImageSource, width: number, height: number, most: number): ImageData {
  const scale = Math.min(1, most / Math.max(width, height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) {
    throw new Error('the browser gives no canvas');
  }
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
