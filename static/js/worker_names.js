// Names of workers: "POOL@HOST.BOOT-NUMBER" on a host, "POOL-NUMBER" on the server's own machine.

const ON_HOST = /^[^@]*@(.+)\.[^.]*-(\d+)$/;

// Without the pool and the process of its host: "host-a-3", "cpu-17".
export const workerName = (id) => id.replace(ON_HOST, "$1-$2");

// The host that it is on; "" on the server's own machine.
export const hostOf = (id) => ON_HOST.exec(id)?.[1] ?? "";
