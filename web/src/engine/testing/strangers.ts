import type { Candidate, ShownLeaf } from '../../crypto/port';
import { issueCredential } from '../../identity/deviceCredential';
import { uuidv7 } from '../../protocol/ids';
import type { TestDevice } from './testDevice';

export type Spy = ShownLeaf & Candidate;

/** A device in ann's name, which whoever has stolen an identity key of hers vouches for. The log does not have it. */
export async function spyOf(ann: TestDevice, stolen: Uint8Array): Promise<Spy> {
  const { mls } = ann.engine.services.core;
  const { account } = ann;
  const device = uuidv7();
  const keys = await mls.generateKeyPair();
  const credential = issueCredential(stolen, account, device, keys.publicKey);
  const [made] = await mls.createKeyPackages({ account, device, ...keys, credential }, 1, Date.now());
  const keyPackage = made?.message ?? new Uint8Array();
  const [shown] = await mls.shownBy([keyPackage]);
  return { ...(shown as ShownLeaf), keyPackage };
}

/** A commit of somebody's whose client looks at nothing. */
export function bringIn(device: TestDevice, group: string, spy: Candidate): Promise<void> {
  const { core, groups } = device.engine.services;
  return core.lane.run(group, () => groups.commit(group, () => ({ adds: [spy], removeLeaves: [] })));
}

export function seedOf(device: TestDevice): Uint8Array {
  const { identitySeed } = device.engine.services.keys.own.record;
  if (!identitySeed) {
    throw new Error('no seed');
  }
  return identitySeed;
}
