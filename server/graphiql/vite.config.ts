import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "fflate";
import { defineConfig, type Plugin } from "vite";

const root = import.meta.dirname;

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
        const found = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id.replace(/^\0/, ""));
        if (!found?.[1]) continue;
        const folder = found[1];
        const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, string>;
        if (name === "vite") continue;
        const texts = readdirSync(folder)
          .filter((entry) => /^(licen[cs]e|thirdpartynotices)/i.test(entry))
          .sort()
          .map((entry) => readFileSync(join(folder, entry), "utf8").replaceAll("\r\n", "\n").trim());
        packages.set(`${name} ${version} (${license})`, texts.join("\n\n"));
      }
      const sections = [...packages].sort(([a], [b]) => (a < b ? -1 : 1)).map(([title, text]) => `${title}\n\n${text}\n`);
      this.emitFile({ type: "asset", fileName: "assets/LICENSES.txt", source: sections.join(`\n${"-".repeat(80)}\n\n`) });
    },
  };
}

export default defineConfig({
  root,
  base: "/graphiql/",
  plugins: [licences(), compressed()],
  worker: { format: "es" },
  build: {
    target: "es2022",
    outDir: "dist",
    assetsInlineLimit: 0, // the page's policy allows no data: fonts
    chunkSizeWarningLimit: 5000,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      onLog(level, log, handle) {
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") handle(level, log); // "use client", which means nothing here
      },
    },
  },
});
