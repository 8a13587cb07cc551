/** What users see where no release answers: small enough for a rule of HAProxy's. @param text without quotes */
export const page = (text: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Not available</title></head>` +
  `<body style="font-family:sans-serif;margin:4em"><h1>Not available</h1><p>${text}</p></body></html>`;
