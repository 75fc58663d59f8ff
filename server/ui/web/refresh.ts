// When the page asks again: at most one refresh is under way, none begins while the page is
// hidden, and a change of the settings aborts the running one and begins anew.

/** How soon to try again after a refresh without an answer when none is due by itself. */
export const RETRY_MS = 5000;

export interface Schedule {
  /** Does one refresh; false if the server could not be reached. Must not reject unless aborted. */
  run: (signal: AbortSignal) => Promise<boolean>;
  /** Milliseconds from the start of one refresh to the next, `null` for never. */
  intervalMs: () => number | null;
  hidden: () => boolean;
}

export interface Refresher {
  /** Aborts what is under way and refreshes now (or, if hidden, when shown again). */
  now: () => void;
  /** Tells that the page was hidden or shown. */
  visibilityChanged: () => void;
  stop: () => void;
}

export function createRefresher(schedule: Schedule): Refresher {
  let running: AbortController | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let missed = false;

  async function refresh(): Promise<void> {
    clearTimeout(timer);
    if (schedule.hidden()) {
      missed = true;
      return;
    }
    missed = false;
    const mine = new AbortController();
    running = mine;
    const started = Date.now();
    const reached = await schedule.run(mine.signal).catch(() => false);
    if (running !== mine) return;
    running = null;
    const interval = schedule.intervalMs() ?? (reached ? null : RETRY_MS);
    if (interval !== null)
      timer = setTimeout(refresh, Math.max(0, started + interval - Date.now()));
  }

  function stop(): void {
    clearTimeout(timer);
    running?.abort();
    running = null;
  }

  return {
    now: () => {
      stop();
      void refresh();
    },
    visibilityChanged: () => {
      if (!schedule.hidden() && missed && running === null) void refresh();
    },
    stop,
  };
}
