import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "fflate";
import { defineConfig, type Plugin } from "vite";

/**
 * Writes `name.gz` in place of `name`. fflate comes with the lock, so the same sources give the same bytes
 * on every machine, which zlib, being part of Node, does not promise.
 */
function compressed(): Plugin {
  return {
    name: "haru:compressed",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        for (const [fileName, output] of Object.entries(bundle)) {
          const source = output.type === "chunk" ? output.code : output.source;
          const bytes = typeof source === "string" ? new TextEncoder().encode(source) : source;
          delete bundle[fileName];
          this.emitFile({ type: "asset", fileName: `${fileName}.gz`, source: gzipSync(bytes, { level: 9, mtime: 0 }) });
        }
      },
    },
  };
}

/** The bundle holds code of all these packages, whose licences ask for their text to travel with it. */
function licences(): Plugin {
  return {
    name: "haru:licences",
    apply: "build",
    generateBundle() {
      const packages = new Map<string, string>();
      for (const id of this.getModuleIds()) {
        const folder = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id.replace(/^\0/, ""))?.[1];
        if (!folder) continue;
        const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
        if (name === "vite") continue;
        const texts = readdirSync(folder)
          .filter((entry) => /^licen[cs]e/i.test(entry))
          .sort()
          .map((entry) => readFileSync(join(folder, entry), "utf8").replaceAll("\r\n", "\n").trim());
        packages.set(`${name} ${version} (${license})`, texts.join("\n\n"));
      }
      const sections = [...packages].sort(([a], [b]) => (a < b ? -1 : 1)).map(([title, text]) => `${title}\n\n${text}\n`);
      this.emitFile({ type: "asset", fileName: "assets/LICENSES.txt", source: sections.join(`\n${"-".repeat(80)}\n\n`) });
    },
  };
}

export default defineConfig(({ command }) => ({
  root: import.meta.dirname,
  base: command === "build" ? "/web/" : "/", // the page itself is at /, its files are in /web/assets/
  plugins: [licences(), compressed()],
  server: { proxy: { "/graphql": "http://127.0.0.1:8000", "/graphiql": "http://127.0.0.1:8000" } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // the page's policy allows no data: images
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
  },
}));
