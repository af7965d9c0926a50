/** Why there is no picture from a camera, as far as a person can do something about it. */
export type CameraTrouble =
  /** The page did not come over TLS: browsers give such pages no camera. */
  | 'insecure'
  /** The browser has no cameras for pages at all. */
  | 'unsupported'
  /** The person, or whoever runs the machine, said no. */
  | 'refused'
  | 'none'
  /** Another program holds it. */
  | 'busy'
  /** It was there and has gone, as when it is unplugged. */
  | 'lost'
  | 'failed';

export class CameraError extends Error {
  constructor(readonly trouble: CameraTrouble) {
    super(trouble);
  }
}

/** What of the browser is asked; tests bring another. */
export type Surroundings = {
  isSecureContext: boolean;
  mediaDevices: Pick<MediaDevices, 'getUserMedia'> | undefined;
};

/** Enough to read a code at arm's length; more only makes each look slower. */
const wanted: MediaStreamConstraints = {
  audio: false,
  video: { facingMode: { ideal: 'environment' }, width: { ideal: 1280 }, height: { ideal: 720 } },
};

/**
 * Opens the camera that looks away from the person, or the only one there is.
 * @throws CameraError and nothing else
 */
export async function openCamera(
  { isSecureContext, mediaDevices }: Surroundings = {
    isSecureContext: globalThis.isSecureContext,
    // Missing on insecure pages and in old browsers, whatever the types say.
    mediaDevices: navigator.mediaDevices as MediaDevices | undefined,
  },
): Promise<MediaStream> {
  if (!isSecureContext) {
    throw new CameraError('insecure');
  }
  if (!mediaDevices?.getUserMedia) {
    throw new CameraError('unsupported');
  }
  try {
    return await mediaDevices.getUserMedia(wanted);
  } catch (thrown) {
    throw new CameraError(troubleOf(thrown instanceof Error ? thrown.name : ''));
  }
}

export function stopCamera(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) {
    track.stop();
  }
}

/** The names that the Media Capture specification gives. */
function troubleOf(name: string): CameraTrouble {
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'refused';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'none';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'failed';
  }
}
