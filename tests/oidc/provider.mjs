// A certified OpenID Connect provider as the university's, for one test. Its settings are environment variables:
//
//   REDIRECT_URI  where it sends browsers back to
//   CLIENT_SECRET what the client proves itself by
//   PEOPLE        JSON: the claims of each person, by the name they sign in with
//
// It prints `listening on http://127.0.0.1:PORT` once it answers, and ends with its standard input, so that it never outlives
// the test that started it. Any password is right.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const people = JSON.parse(process.env.PEOPLE);
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'mycareer',
        client_secret: process.env.CLIENT_SECRET,
        redirect_uris: [process.env.REDIRECT_URI],
      },
    ],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'eduperson_affiliation', 'faculty', 'programme', 'year_of_study'],
    },
    cookies: { keys: ['of a test'] },
    findAccount: (_, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
    pkce: { required: () => true },
  });
  server.on('request', provider.callback());
  console.log(`listening on ${issuer}/`);
});
process.stdin.on('end', () => process.exit()).resume();
