// For a Node whose fetch does not read HTTPS_PROXY (before 22.21 and 24.0): load it first, with
// `node --import ./proxy.mjs application.mjs`, and the application stays as it is.
import { EnvHttpProxyAgent, setGlobalDispatcher } from "undici";

setGlobalDispatcher(new EnvHttpProxyAgent());
