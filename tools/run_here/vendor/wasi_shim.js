// The files and clocks that Python asks its host for, in a browser.
export * from "@bjorn3/browser_wasi_shim";
