import type { RealmApi, ServerApi } from '../net/api';
import { fromBase64, toBase64 } from '../protocol/bytes';
import type { RealmHostView } from '../protocol/wire';
import type { VaultPort } from './port';

export type VaultApi = RealmApi & Pick<ServerApi, 'vault' | 'realmToken' | 'realmAt'>;

/**
 * The way to the realms for one errand: those in the server by the server, the others at their own addresses, each with a token
 * that the server makes for it. Tokens are not kept longer than that: they name the identity key of the moment.
 */
export class RealmDoor {
  readonly #api: VaultApi;
  readonly #hosts: readonly RealmHostView[];
  readonly #opened = new Map<string, Promise<RealmApi>>();

  constructor(api: VaultApi, hosts: readonly RealmHostView[] | null | undefined) {
    this.#api = api;
    this.#hosts = hosts ?? [];
  }

  at(realm: string): Promise<RealmApi> {
    const host = this.#hosts.find((one) => one.realm.toLowerCase() === realm.toLowerCase());
    if (!host) {
      return Promise.resolve(this.#api);
    }
    const known = this.#opened.get(realm) ?? this.#open(host);
    this.#opened.set(realm, known);
    return known;
  }

  async #open({ realm, address }: RealmHostView): Promise<RealmApi> {
    return this.#api.realmAt(address, (await this.#api.realmToken(realm)).token);
  }
}

/** The vault over REST. A message is never sent twice by itself: a second recover2 would be a second guess. */
export function vaultOverRest(api: VaultApi): VaultPort {
  let door = new RealmDoor(api, null);
  return {
    view: async () => {
      const view = await api.vault();
      door = new RealmDoor(api, view.hosts);
      return view;
    },
    ask: async (realm, message) => {
      const { message: answer } = await (await door.at(realm)).askRealm(realm, toBase64(message));
      return fromBase64(answer);
    },
    attempts: async (realm) => (await door.at(realm)).vaultAttempts(realm),
  };
}
