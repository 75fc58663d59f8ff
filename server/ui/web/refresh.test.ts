// The refresh loop on a made-up clock.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRefresher, RETRY_MS } from './refresh';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A loop whose refreshes take `tookMs` and note when they began, and which were aborted. */
function loop(set: { tookMs?: number; everyMs?: number | null; reached?: boolean }) {
  const seen = { began: [] as number[], aborted: 0, running: 0, most: 0 };
  const page = { hidden: false, reached: set.reached ?? true };
  const zero = Date.now();
  const refresher = createRefresher({
    run: async (signal) => {
      seen.began.push(Date.now() - zero);
      seen.most = Math.max(seen.most, ++seen.running);
      await new Promise<void>((resolve) => {
        const done = setTimeout(resolve, set.tookMs ?? 0);
        signal.addEventListener('abort', () => {
          seen.aborted++;
          clearTimeout(done);
          resolve();
        });
      });
      seen.running--;
      return page.reached;
    },
    intervalMs: () => (set.everyMs === undefined ? 5000 : set.everyMs),
    hidden: () => page.hidden,
  });
  return { seen, page, refresher };
}

test('refreshes begin one interval apart, however long they take', async () => {
  const { seen, refresher } = loop({ tookMs: 1200 });
  refresher.now();
  await vi.advanceTimersByTimeAsync(11_000);
  expect(seen.began).toEqual([0, 5000, 10_000]);
});

test('one that takes longer than the interval delays the next', async () => {
  const { seen, refresher } = loop({ tookMs: 7000 });
  refresher.now();
  await vi.advanceTimersByTimeAsync(15_000);
  // A timer takes one millisecond at least.
  expect(seen.began).toEqual([0, 7001, 14_002]);
  expect(seen.most).toBe(1);
});

test('a change aborts what is under way and begins anew', async () => {
  const { seen, refresher } = loop({ tookMs: 3000 });
  refresher.now();
  await vi.advanceTimersByTimeAsync(1000);
  refresher.now();
  await vi.advanceTimersByTimeAsync(5500);
  expect(seen.began).toEqual([0, 1000, 6000]);
  expect(seen.aborted).toBe(1);
});

test('a hidden page asks nothing, and at once when it is shown', async () => {
  const { seen, page, refresher } = loop({});
  refresher.now();
  await vi.advanceTimersByTimeAsync(1000);
  page.hidden = true;
  refresher.visibilityChanged();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen.began).toEqual([0]);
  page.hidden = false;
  refresher.visibilityChanged();
  await vi.advanceTimersByTimeAsync(6000);
  expect(seen.began).toEqual([0, 61_000, 66_000]);
});

test('showing a page that missed nothing does not ask', async () => {
  const { seen, page, refresher } = loop({});
  refresher.now();
  await vi.advanceTimersByTimeAsync(1000);
  page.hidden = true;
  refresher.visibilityChanged();
  page.hidden = false;
  refresher.visibilityChanged();
  await vi.advanceTimersByTimeAsync(1000);
  expect(seen.began).toEqual([0]);
});

test('without an interval it asks once, and again only if the server was not reached', async () => {
  const once = loop({ everyMs: null });
  once.refresher.now();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(once.seen.began).toEqual([0]);

  const retried = loop({ everyMs: null, reached: false });
  retried.refresher.now();
  await vi.advanceTimersByTimeAsync(RETRY_MS + 1);
  retried.page.reached = true;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(retried.seen.began).toEqual([0, RETRY_MS, 2 * RETRY_MS]);
});

test('stop ends it', async () => {
  const { seen, refresher } = loop({});
  refresher.now();
  await vi.advanceTimersByTimeAsync(1000);
  refresher.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen.began).toEqual([0]);
});
