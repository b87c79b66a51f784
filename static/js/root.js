// Where the server stands below its host: behind a proxy perhaps below a path, which is what comes
// before /static/VERSION/js/ in this module's own address.

const ROOT = new URL("../../..", import.meta.url).pathname.replace(/\/$/, "");

// The address of one of the server's own paths, such as "/tasks".
export const at = (path) => ROOT + path;

// The page that is shown, as one of those paths.
export const pathHere = () => location.pathname.slice(ROOT.length) + location.search;
