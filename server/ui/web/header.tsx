// The header: what this is, and the choices of model, range and refresh.
import { REFRESHES } from './address';
import { formatTime } from './format';
import { RANGES } from './span';
import { change, refreshNow, screen, settings } from './state';

export function Header() {
  const { model, range, refresh } = settings.value;
  return (
    <header>
      <div class="title">
        <span class="brand">Inferometer</span>
        <h1>LLM Performance Dashboard</h1>
      </div>
      <form class="choices" onSubmit={(event) => event.preventDefault()}>
        <Choice
          label="Model"
          value={model ?? ''}
          options={modelOptions(model, screen.value?.models)}
          choose={(value) => change({ model: value === '' ? null : value })}
        />
        <Choice
          label="Range"
          value={range}
          options={RANGES.map(({ name }) => [name, `Last ${name}`])}
          choose={(value) => change({ range: value })}
        />
        <Choice
          label="Refresh"
          value={refresh}
          options={Object.entries(REFRESHES).map(([name, ms]) => [
            name,
            ms === null ? 'Off' : `Every ${name}`,
          ])}
          choose={(value) => change({ refresh: value })}
        />
        <button type="button" onClick={refreshNow}>
          Refresh now
        </button>
        <Updated />
      </form>
    </header>
  );
}

function Updated() {
  const asked = screen.value?.askedAt;
  return (
    <span class="updated">{asked === undefined ? 'loading' : `as of ${formatTime(asked)}`}</span>
  );
}

/** All models, those that served in this range, and the chosen one even if it did not. */
function modelOptions(chosen: string | null, models: string[] | undefined): [string, string][] {
  const options = (models ?? []).map((name): [string, string] => [name, name]);
  if (chosen !== null && !models?.includes(chosen)) {
    options.push([chosen, models === undefined ? chosen : `${chosen} (no data)`]);
  }
  return [['', 'All models'], ...options];
}

interface ChoiceProps {
  label: string;
  value: string;
  options: [value: string, text: string][];
  choose: (value: string) => void;
}

function Choice({ label, value, options, choose }: ChoiceProps) {
  return (
    <label>
      <span>{label}</span>
      <select value={value} onChange={(event) => choose(event.currentTarget.value)}>
        {options.map(([name, text]) => (
          <option key={name} value={name} selected={name === value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
