// Reads the open page: runs inside the browser, all at one instant.

/**
 * What the page shows: when it asked the server and for how many instants (NaN before the first
 * answer), and for each panel its rows with the number of columns of the canvas that hold pixels
 * of the row's colour.
 */
export function readPage() {
  const sections = [...document.querySelectorAll('main section')];
  const panels = sections.map((section) => {
    const canvas = section.querySelector('canvas');
    return {
      id: section.id,
      title: section.querySelector('h2')?.textContent ?? '',
      verdict: section.querySelector('.verdict')?.textContent ?? null,
      width: canvas?.width ?? 0,
      rows: [...section.querySelectorAll('tr[data-query]')].map((row) => ({
        name: row.querySelector('th').textContent,
        shown: row.querySelector('td').textContent,
        query: row.dataset.query,
        lastTime: row.dataset.lastTime,
        lastValue: row.dataset.lastValue,
        points: Number(row.dataset.points),
        columns: canvas === null ? 0 : colouredColumns(canvas, colourOf(row)),
      })),
    };
  });
  const { askedAt, instants } = document.querySelector('main')?.dataset ?? {};
  return { askedAt: Number(askedAt), instants: Number(instants), panels };

  function colourOf(row) {
    const colour = getComputedStyle(row.querySelector('.swatch')).backgroundColor;
    return colour
      .match(/[\d.]+/g)
      .slice(0, 3)
      .map(Number);
  }

  /** Counts the columns with a pixel that differs from `colour` by no more than rounding. */
  function colouredColumns(canvas, [red, green, blue]) {
    const { width, height } = canvas;
    const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) {
      const off = Math.max(
        Math.abs(data[i] - red),
        Math.abs(data[i + 1] - green),
        Math.abs(data[i + 2] - blue),
      );
      if (off <= 12 && data[i + 3] > 200) seen.add((i / 4) % width);
    }
    return seen.size;
  }
}
