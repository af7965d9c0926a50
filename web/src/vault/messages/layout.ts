import { bytesToUuid, uuidToBytes } from '../../protocol/ids';
import { accepted, type Outcome, refused, VaultRejection } from '../rejection';

/** A field of a message: how long it is and how it is written. Numbers and ids are in network order. */
export type Field<T> = {
  size: number;
  write(value: T, room: DataView): void;
  read(room: DataView): T;
};

export type Values<F extends FieldSet> = { [K in keyof F]: F[K] extends Field<infer T> ? T : never };
// Each field has its own type, which only the kind of message knows.
// biome-ignore lint/suspicious/noExplicitAny: see above.
export type FieldSet = Record<string, Field<any>>;

const protocolVersion = 1;
/** Version (1), type (1) and the id of the request (16), which the response repeats. */
const headerBytes = 18;

export const uuid: Field<string> = {
  size: 16,
  write: (value, room) => bytesOf(room).set(uuidToBytes(value)),
  read: (room) => bytesToUuid(bytesOf(room)),
};

export const uint8: Field<number> = {
  size: 1,
  write: (value, room) => room.setUint8(0, bounded(value, 0xff)),
  read: (room) => room.getUint8(0),
};

export const uint16: Field<number> = {
  size: 2,
  write: (value, room) => room.setUint16(0, bounded(value, 0xffff)),
  read: (room) => room.getUint16(0),
};

export const uint32: Field<number> = {
  size: 4,
  write: (value, room) => room.setUint32(0, bounded(value, 0xffffffff)),
  read: (room) => room.getUint32(0),
};

export function bytes(size: number): Field<Uint8Array> {
  return {
    size,
    write: (value, room) => {
      if (value.length !== size) {
        throw new RangeError(`a field has ${size} bytes and not ${value.length}`);
      }
      bytesOf(room).set(value);
    },
    read: (room) => bytesOf(room).slice(),
  };
}

/**
 * A kind of message between a device and a realm: its type, its fields in order, and what is wrong with their values. Each
 * kind has one encoding of one length.
 */
export class MessageKind<F extends FieldSet> {
  readonly size: number;
  readonly #fields: [name: string, field: Field<unknown>, offset: number][] = [];

  constructor(
    readonly type: number,
    fields: F,
    readonly judge: (values: Values<F>) => VaultRejection = () => VaultRejection.none,
  ) {
    let offset = headerBytes;
    for (const [name, field] of Object.entries(fields)) {
      this.#fields.push([name, field, offset]);
      offset += field.size;
    }
    this.size = offset;
  }

  /** @throws RangeError for a value that does not fit its field. */
  encode(requestId: string, values: Values<F>): Uint8Array {
    const encoding = new Uint8Array(this.size);
    encoding.set([protocolVersion, this.type]);
    encoding.set(uuidToBytes(requestId), 2);
    for (const [name, field, offset] of this.#fields) {
      field.write(values[name], new DataView(encoding.buffer, offset, field.size));
    }
    return encoding;
  }

  /** Reads one message of the kind; every byte must belong to it and every field must be valid. */
  read(encoding: Uint8Array): Outcome<Values<F> & { requestId: string }> {
    const rejection = this.#judgeHeader(encoding);
    if (rejection !== VaultRejection.none) {
      return refused(rejection);
    }
    const values = { requestId: requestIdOf(encoding) } as Values<F> & { requestId: string };
    for (const [name, field, offset] of this.#fields) {
      const room = new DataView(encoding.buffer, encoding.byteOffset + offset, field.size);
      (values as Record<string, unknown>)[name] = field.read(room);
    }
    const wrong = this.judge(values);
    return wrong === VaultRejection.none ? accepted(values) : refused(wrong);
  }

  #judgeHeader(encoding: Uint8Array): VaultRejection {
    if (encoding.length === 0) {
      return VaultRejection.lengthWrong;
    }
    if (encoding[0] !== protocolVersion) {
      return VaultRejection.unknownVersion;
    }
    if (encoding.length < headerBytes) {
      return VaultRejection.lengthWrong;
    }
    if (encoding[1] !== this.type) {
      return VaultRejection.wrongMessage;
    }
    return encoding.length === this.size ? VaultRejection.none : VaultRejection.lengthWrong;
  }
}

/** What a kind's messages hold, as they are read. */
export type MessageOf<K> = K extends MessageKind<infer F> ? Values<F> & { requestId: string } : never;

/** Which request a message is or answers; the message has at least a header. */
export function requestIdOf(encoding: Uint8Array): string {
  return bytesToUuid(encoding.slice(2, headerBytes));
}

/** The first thing that is wrong, or nothing. */
export function firstOf(...rejections: VaultRejection[]): VaultRejection {
  return rejections.find((rejection) => rejection !== VaultRejection.none) ?? VaultRejection.none;
}

function bounded(value: number, most: number): number {
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw new RangeError('the number does not fit its field');
  }
  return value;
}

function bytesOf(room: DataView): Uint8Array {
  return new Uint8Array(room.buffer, room.byteOffset, room.byteLength);
}
