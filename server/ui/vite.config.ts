// How the page is built: plain files with relative addresses, so that it works under any path
// prefix, and nothing inline, so that `script-src 'self'` is enough. `npm run dev` passes the
// API on to the server in INFEROMETER_API.
import { defineConfig } from 'vite';

declare const process: { env: Record<string, string | undefined> };

export default defineConfig({
  root: 'web',
  base: './',
  cacheDir: '../node_modules/.vite',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: ['chrome123', 'firefox120', 'safari17.5'],
  },
  server: { proxy: { '/api': process.env.INFEROMETER_API ?? 'http://127.0.0.1:9090' } },
});
