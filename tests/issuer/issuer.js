// A real issuer of OpenID Connect for one test: on a port of its own, until its standard input ends.
//
// It prints its address as one line of JSON. `POST /control` changes it: `people` are those who can sign in, by login, with
// their claims; `rotate` has it sign with a new key from then on.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const [clientId, clientSecret, redirectUri, logoutUri] = process.argv.slice(2);
const people = {};
let provider;

const server = createServer((request, response) => {
  if (request.method === 'POST' && request.url === '/control') {
    control(request, response);
  } else {
    provider.callback()(request, response);
  }
});

function start() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' };
  // What was given out stays good: the store of the process is one.
  provider = new Provider(`http://127.0.0.1:${server.address().port}`, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        post_logout_redirect_uris: [logoutUri],
      },
    ],
    jwks: { keys: [key] },
    cookies: { keys: ['only for tests'] },
    scopes: ['openid', 'profile', 'email', 'groups'],
    claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'], groups: ['groups'] },
    pkce: { required: () => true },
    async findAccount(context, id) {
      return people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) };
    },
    // Nobody is asked whether Pulse may know what it asks for.
    async loadExistingGrant(context) {
      const { client, session, params } = context.oidc;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope(params.scope);
      await grant.save();
      return grant;
    },
  });
}

async function control(request, response) {
  let body = '';
  for await (const chunk of request) body += chunk;
  const change = JSON.parse(body);
  Object.assign(people, change.people ?? {});
  if (change.rotate) start();
  response.end('{}');
}

server.listen(0, '127.0.0.1', () => {
  start();
  console.log(JSON.stringify({ issuer: `http://127.0.0.1:${server.address().port}` }));
});
process.stdin.resume();
process.stdin.on('end', () => process.exit());
