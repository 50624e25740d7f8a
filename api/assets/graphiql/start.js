"use strict";

// Sends operations to this server: queries and mutations over HTTP, subscriptions over a WebSocket. What stands in the tab
// "Headers" goes along either way.
function send(operation, options) {
  const socket = new URL("/graphql/ws", location.href);
  socket.protocol = socket.protocol.replace("http", "ws");
  const fetcher = GraphiQL.createFetcher({
    url: "/graphql",
    wsClient: graphqlWs.createClient({ url: socket.href, connectionParams: options?.headers }),
  });
  return fetcher(operation, options);
}

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, { fetcher: send, defaultEditorToolsVisibility: "headers" }),
);
