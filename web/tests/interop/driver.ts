import type { CiphersuiteImpl } from 'ts-mls';
import { Client } from './client';
import { type Change, serve } from './protocol';
import { loadSuite } from './suites';

type Request =
  | { op: 'client'; client: string; suite: number; identity: Uint8Array }
  | { op: 'forget'; client: string }
  | { op: 'psk'; client: string; id: Uint8Array; secret: Uint8Array }
  | { op: 'keyPackage' | 'accept' | 'drop' | 'groupInfo'; client: string }
  | { op: 'create'; client: string; groupId: Uint8Array }
  | { op: 'join'; client: string; welcome: Uint8Array }
  | { op: 'joinExternally'; client: string; groupInfo: Uint8Array; authenticatedData: Uint8Array }
  | { op: 'propose'; client: string; change: Change; public: boolean; authenticatedData: Uint8Array }
  | { op: 'commit'; client: string; changes: Change[]; public: boolean; authenticatedData: Uint8Array }
  | { op: 'encrypt'; client: string; data: Uint8Array; authenticatedData: Uint8Array }
  | { op: 'process'; client: string; message: Uint8Array }
  | { op: 'describe'; client: string; label: string; context: Uint8Array; length: number };

/** The ts-mls half of the interoperation tests: any number of members, each answering to its name. */
export async function main(): Promise<void> {
  const suites = new Map<number, CiphersuiteImpl>();
  const clients = new Map<string, Client>();

  const suiteOf = async (id: number) => {
    const suite = suites.get(id) ?? (await loadSuite(id));
    suites.set(id, suite);
    return suite;
  };

  await serve<Request>(async (request) => {
    if (request.op === 'client') {
      clients.set(request.client, await Client.create(await suiteOf(request.suite), request.identity));
      return;
    }
    const client = clients.get(request.client);
    if (!client) {
      throw new Error(`there is no client ${request.client}`);
    }
    switch (request.op) {
      case 'forget':
        clients.delete(request.client);
        return;
      case 'psk':
        return client.addPsk(request.id, request.secret);
      case 'keyPackage':
        return client.keyPackage();
      case 'accept':
        return client.accept();
      case 'drop':
        return client.drop();
      case 'groupInfo':
        return client.groupInfo();
      case 'create':
        return client.create(request.groupId);
      case 'join':
        return client.join(request.welcome);
      case 'joinExternally':
        return client.joinExternally(request.groupInfo, request.authenticatedData);
      case 'propose':
        return client.propose(request.change, request.public, request.authenticatedData);
      case 'commit':
        return client.commit(request.changes, request.public, request.authenticatedData);
      case 'encrypt':
        return client.encrypt(request.data, request.authenticatedData);
      case 'process':
        return client.process(request.message);
      case 'describe':
        return client.describe(request.label, request.context, request.length);
    }
  });
}
