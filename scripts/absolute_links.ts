// Registries show README.md without the files that it links to. Where GitHub
// Actions says which repository and tag this is, links lead there:
// `deno run -A scripts/absolute_links.ts README.md` rewrites a file in place.

/** Makes the relative links of Markdown absolute, images included. */
export function withAbsoluteLinks(
  markdown: string,
  repository: string,
  ref: string,
): string {
  return markdown.replace(
    /(!?)(\[[^\]]*\])\((?![a-z]+:|#)([^)\s]+)\)/g,
    (_, image: string, text: string, path: string) => {
      const view = image === "!" ? "raw" : "blob";
      return `${image}${text}(${repository}/${view}/${ref}/${path})`;
    },
  );
}

/** Makes the links of Markdown absolute where the repository is known. */
export function forRegistry(markdown: string): string {
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_REF_NAME } = Deno.env
    .toObject();
  if (GITHUB_REPOSITORY === undefined || GITHUB_REF_NAME === undefined) {
    return markdown;
  }
  const repository = `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}`;
  return withAbsoluteLinks(markdown, repository, GITHUB_REF_NAME);
}

if (import.meta.main) {
  for (const path of Deno.args) {
    await Deno.writeTextFile(path, forRegistry(await Deno.readTextFile(path)));
  }
}
