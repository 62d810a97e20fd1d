// The viewer's own names. What is tried goes to this server; nothing is kept in the browser or sent elsewhere.
// @ts-expect-error -- a global of the script before this one
SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#docs',
  deepLinking: false,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
  // There is one server, this one, so that there is nothing to choose.
  plugins: [{ wrapComponents: { ServersContainer: () => () => null } }],
})
