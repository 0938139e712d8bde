// Prints how many milliseconds an import takes in a process that has done
// nothing before.

import process from "node:process";

const start = performance.now();
await import(process.argv[2]);
console.log(performance.now() - start);
