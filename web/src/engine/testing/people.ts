import 'fake-indexeddb/auto';
import { afterEach, vi } from 'vitest';
import { FakeServer } from './fakeServer';
import { TestDevice } from './testDevice';

// Generous, because the machine may be busy with other tests; every wait inside has its own deadline.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const devices: TestDevice[] = [];

afterEach(() => {
  for (const made of devices.splice(0)) {
    made.stop();
  }
});

/** Stopped when the test is over. */
export function keep(device: TestDevice): TestDevice {
  devices.push(device);
  return device;
}

export async function person(server: FakeServer, handle: string) {
  const client = server.client();
  return { client, device: keep(await TestDevice.signUp(handle, client)) };
}

/** Two people with a direct conversation in which one message has arrived. */
export async function pair() {
  const server = new FakeServer();
  const [ann, bob] = await Promise.all([person(server, 'ann'), person(server, 'bob')]);
  const id = await ann.device.startDirect(bob.device);
  await ann.device.send(id, 'first');
  await bob.device.sees(id, 'first');
  return { server, id, ann: ann.device, bob: bob.device, annClient: ann.client, bobClient: bob.client };
}

export const sendStates = async (device: TestDevice, id: string) =>
  (await device.items(id))
    .map((item) => (item.type === 'message' ? item.send : null))
    .filter((state) => state !== null);
