// The page: header, what there is to say about the data, the eight panels.
import { Header } from './header';
import { PanelView } from './panel';
import { PANELS } from './panels';
import { instants } from './span';
import { type Screen, screen, settings, unreachable } from './state';

export function App() {
  const now = screen.value;
  return (
    <>
      <Header />
      <Notices />
      <main
        class={isBehind(now) ? 'behind' : ''}
        data-asked-at={now?.askedAt}
        data-instants={now && instants(now.grid).length}
      >
        {PANELS.map((panel) => (
          <PanelView key={panel.id} panel={panel} />
        ))}
      </main>
    </>
  );
}

/** Whether the panels still show what was chosen before. */
function isBehind(now: Screen | null): boolean {
  const { model, range } = settings.value;
  return now !== null && (now.settings.model !== model || now.settings.range !== range);
}

function Notices() {
  const notice = screen.value?.notice;
  return (
    <aside aria-label="About the data">
      {unreachable.value !== null && (
        <p class="notice bad" role="alert">
          Cannot reach the server, retrying. <small>{unreachable.value}</small>
        </p>
      )}
      {notice && <p class="notice">{notice}</p>}
    </aside>
  );
}
