// PromQL text: how the chosen model becomes part of a query.
//
// A panel's expression says `$model` where a regular expression for the label `model_name`
// belongs; it always stands inside a double-quoted PromQL string.

/** What `$model` becomes when no model is chosen: every series that names one. */
export const ANY_MODEL = '.+';

/** Quotes `text` so that, as an anchored RE2 expression, it matches exactly itself. */
export function quoteRegex(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

/** Escapes `text` for the inside of a double-quoted PromQL string. */
export function escapeString(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** The query that `expr` stands for when `model` is chosen (`null`: all models). */
export function queryFor(expr: string, model: string | null): string {
  const regex = model === null ? ANY_MODEL : escapeString(quoteRegex(model));
  return expr.replaceAll('$model', () => regex);
}
