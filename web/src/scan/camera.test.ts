import { describe, expect, it } from 'vitest';
import { openCamera, stopCamera } from './camera';

function refusing(name: string) {
  const getUserMedia = () => Promise.reject(new DOMException('', name));
  return { isSecureContext: true, mediaDevices: { getUserMedia } };
}

describe('the camera', () => {
  it('is asked for the side that looks away, and never for a microphone', async () => {
    let asked: MediaStreamConstraints | undefined;
    const stream = { getTracks: () => [] } as unknown as MediaStream;
    const getUserMedia = async (wanted?: MediaStreamConstraints) => {
      asked = wanted;
      return stream;
    };
    expect(await openCamera({ isSecureContext: true, mediaDevices: { getUserMedia } })).toBe(stream);
    expect(asked).toMatchObject({ audio: false, video: { facingMode: { ideal: 'environment' } } });
  });

  it('that cannot be had says why, in a way that a person can do something about', async () => {
    const cases: [string, string][] = [
      ['NotAllowedError', 'refused'],
      ['SecurityError', 'refused'],
      ['NotFoundError', 'none'],
      ['OverconstrainedError', 'none'],
      ['NotReadableError', 'busy'],
      ['AbortError', 'busy'],
      ['SomethingNew', 'failed'],
    ];
    for (const [name, trouble] of cases) {
      await expect(openCamera(refusing(name))).rejects.toMatchObject({ trouble });
    }
    const nothing = { isSecureContext: true, mediaDevices: undefined };
    await expect(openCamera(nothing)).rejects.toMatchObject({ trouble: 'unsupported' });
    await expect(openCamera({ ...nothing, isSecureContext: false })).rejects.toMatchObject({ trouble: 'insecure' });
  });

  it('is let go of with every track that it has', () => {
    let stopped = 0;
    const track = { stop: () => stopped++ };
    stopCamera({ getTracks: () => [track, track] } as unknown as MediaStream);
    stopCamera(null);
    expect(stopped).toBe(2);
  });
});
