window.appConfig = { pluginService: { enabled: true }, logLevel: 'info' };
