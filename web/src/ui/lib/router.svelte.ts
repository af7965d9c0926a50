import { hrefOf, parentOf, parseRoute, type Route } from './routes';

/**
 * Follows the address bar. Each entry of ours remembers its depth in `history.state`, so that going back inside the
 * app uses the browser's own history while there is some, and the parent screen after a deep link.
 */
class Router {
  route = $state.raw<Route>(parseRoute(location.hash));
  #depth = 0;

  constructor() {
    this.#depth = depthOf(history.state) ?? 0;
    history.replaceState({ depth: this.#depth }, '');
    window.addEventListener('popstate', () => this.#follow());
    window.addEventListener('hashchange', () => this.#follow());
  }

  go(route: Route): void {
    if (hrefOf(route) === location.hash) {
      return;
    }
    this.#depth += 1;
    history.pushState({ depth: this.#depth }, '', hrefOf(route));
    this.route = route;
  }

  replace(route: Route): void {
    history.replaceState({ depth: this.#depth }, '', hrefOf(route));
    this.route = route;
  }

  back(): void {
    if (this.#depth > 0) {
      history.back();
    } else {
      this.replace(parentOf(this.route));
    }
  }

  #follow(): void {
    const depth = depthOf(history.state);
    if (depth === null) {
      // A link was followed or an address typed: the browser made an entry without a depth.
      this.#depth += 1;
      history.replaceState({ depth: this.#depth }, '');
    } else {
      this.#depth = depth;
    }
    const next = parseRoute(location.hash);
    if (hrefOf(next) !== hrefOf(this.route)) {
      this.route = next;
    }
  }
}

function depthOf(state: unknown): number | null {
  if (typeof state === 'object' && state !== null && 'depth' in state && typeof state.depth === 'number') {
    return state.depth;
  }
  return null;
}

export const router = new Router();
