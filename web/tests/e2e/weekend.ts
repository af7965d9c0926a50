import type { Browser } from 'playwright-core';
import type { RealServer } from '../server';
import { Person } from './person';

export const nadia = { handle: 'nadia', displayName: 'Nadia Petrova', password: 'velvet tram number nine' };
export const omar = { handle: 'omar', displayName: 'Omar Benali', password: 'orange bell under snow' };
export const priya = { handle: 'priya', displayName: 'Priya Raman', password: 'paper moon over cities' };
export const group = 'Weekend';

/** Three people in a group that she has opened, in this order; the second is on a phone. */
export async function meet(browser: Browser, server: RealServer): Promise<[Person, Person, Person]> {
  const [n, o, p] = await Promise.all([
    Person.signUp(browser, server, nadia),
    Person.signUp(browser, server, omar, { device: 'phone' }),
    Person.signUp(browser, server, priya),
  ]);
  await n.createGroup(group, [omar, priya]);
  await n.say('Hello both');
  for (const other of [o, p]) {
    await other.openChat(group);
    await other.reads('Hello both');
  }
  return [n, o, p];
}
