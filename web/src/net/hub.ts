import { HttpTransportType, type HubConnection, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { fromBody, localError } from '../protocol/errors';
import type { HubReply } from '../protocol/wire';
import { ActionError } from '../state/contract';
import type { Hub, HubListener, OpenHub } from './api';

/** A call that is not answered within this time means that the connection is dead. */
const callTimeoutMs = 30_000;
const keepAliveMs = 15_000;
const serverTimeoutMs = 40_000;

/**
 * The hub over SignalR: WebSockets only and without negotiation, so that any node behind any proxy will do. The token
 * is for callers outside browsers, which have no cookie.
 */
export function hubAt(url: string, token: () => string | null): OpenHub {
  return async (listener) => {
    const connection = new HubConnectionBuilder()
      .withUrl(url, {
        skipNegotiation: true,
        transport: HttpTransportType.WebSockets,
        ...(token() ? { accessTokenFactory: () => token() ?? '' } : {}),
      })
      .configureLogging(LogLevel.None)
      .build();
    connection.keepAliveIntervalInMilliseconds = keepAliveMs;
    connection.serverTimeoutInMilliseconds = serverTimeoutMs;
    listen(connection, listener);
    try {
      await connection.start();
    } catch {
      throw localError('offline');
    }
    return toHub(connection);
  };
}

function listen(connection: HubConnection, listener: HubListener): void {
  connection.on('Events', (batch) => listener.events(batch));
  connection.on('Heads', (batch) => listener.heads(batch));
  connection.on('DeviceMessages', (batch) => listener.deviceMessages(batch));
  connection.on('Receipts', (batch) => listener.receipts(batch));
  connection.on('Ephemeral', (batch) => listener.ephemeral(batch));
  connection.on('Presence', (batch) => listener.presence(batch));
  connection.on('WalletChanged', (batch) => listener.walletChanged(batch));
  connection.on('Control', (signal) => listener.control(signal));
  connection.on('Keys', (signal) => listener.keys(signal));
  connection.onclose(() => listener.closed());
}

function toHub(connection: HubConnection): Hub {
  const call = async <T>(method: string, ...args: unknown[]): Promise<T> => {
    let reply: HubReply<T>;
    try {
      reply = await withTimeout(connection.invoke<HubReply<T>>(method, ...args));
    } catch (thrown) {
      // Either way the fate of the call is unknown; a fresh connection finds out.
      void connection.stop();
      throw thrown instanceof ActionError ? thrown : localError('offline');
    }
    if (reply.error) {
      throw fromBody(reply.error);
    }
    return reply.ok as T;
  };
  return {
    hello: (request) => call('Hello', request),
    sync: (request) => call('Sync', request),
    send: (request) => call('Send', request),
    submitCommit: (request) => call('SubmitCommit', request),
    sendToDevices: (request) => call('SendToDevices', request),
    ackDevice: (ids) => call('AckDevice', { ids }),
    pullDevice: () => call('PullDevice'),
    mark: (marks) => call('Mark', { marks }),
    typing: (conversation, active) => call('Typing', { conversation, active }),
    watchPresence: (accounts) => call('WatchPresence', { accounts }),
    cardAct: (request) => call('CardAct', request),
    close: () => void connection.stop(),
  };
}

async function withTimeout<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(localError('offline')), callTimeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
