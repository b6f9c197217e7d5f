/** The registry alone: the whole package costs ten times its time and memory, for its cluster and push gateways load node:http and more. */
declare module 'prom-client/lib/registry.js' {
  import { Registry } from 'prom-client';
  export default Registry;
}
