// Builds the pages into .hone/web, from where `hone serve` serves them. While working on them: `npx vite --config
// src/web/vite.config.ts` beside a `hone serve --port 4600 --origin http://localhost:5173`.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: fileURLToPath(new URL('../../.hone/web', import.meta.url)),
    emptyOutDir: true,
    // A page must load nothing that its headers forbid: no data: scripts, no inline polyfill.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000,
    rolldownOptions: {
      // 'use client' speaks to servers that render pages; there is none here.
      onLog: (level, log, handle) => log.code !== 'MODULE_LEVEL_DIRECTIVE' && handle(level, log),
    },
  },
  server: { proxy: { '/api': 'http://localhost:4600' } },
})
