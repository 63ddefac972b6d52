"""HTTP: routes, problem documents and authentication. Routes are thin: they unpack, call one service, and answer."""
