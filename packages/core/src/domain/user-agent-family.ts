/**
 * Product token in the agent's text → family, most telling first: every Chromium browser also
 * says Chrome and Safari, and a crawler may say all of them. A closed list, because an agent's
 * text is free and can name a person.
 */
const FAMILIES: readonly (readonly [token: string, family: string])[] = [
  ['Googlebot-Image/', 'Googlebot-Image'],
  ['Googlebot-Mobile/', 'Googlebot-Mobile'],
  ['Googlebot/', 'Googlebot'],
  ['Google-HTTP-Java-Client/', 'Google-HTTP-Java-Client'],
  ['AdsBot-Google', 'AdsBot-Google'],
  ['bingbot/', 'bingbot'],
  ['msnbot-media/', 'msnbot-media'],
  ['msnbot/', 'msnbot'],
  ['YandexImages/', 'YandexImages'],
  ['YandexBot/', 'YandexBot'],
  ['Baiduspider/', 'Baiduspider'],
  ['Baiduspider-image', 'Baiduspider-image'],
  ['DuckDuckBot/', 'DuckDuckBot'],
  ['Yahoo! Slurp', 'Yahoo! Slurp'],
  ['Sogou web spider/', 'Sogou web spider'],
  ['Applebot/', 'Applebot'],
  ['AhrefsBot/', 'AhrefsBot'],
  ['SemrushBot/', 'SemrushBot'],
  ['MJ12bot/', 'MJ12bot'],
  ['Ezooms/', 'Ezooms'],
  ['archive.org_bot', 'archive.org_bot'],
  ['ia_archiver', 'ia_archiver'],
  ['facebookexternalhit/', 'facebookexternalhit'],
  ['Twitterbot/', 'Twitterbot'],
  ['LinkedInBot/', 'LinkedInBot'],
  ['Slackbot', 'Slackbot'],
  ['Feedly/', 'Feedly'],
  ['Feedfetcher-Google', 'Feedfetcher-Google'],
  ['Tiny Tiny RSS/', 'Tiny Tiny RSS'],
  ['UniversalFeedParser/', 'UniversalFeedParser'],
  ['FeedBurner/', 'FeedBurner'],
  ['curl/', 'curl'],
  ['Wget/', 'Wget'],
  ['python-requests/', 'python-requests'],
  ['Python-urllib/', 'Python-urllib'],
  ['Go-http-client/', 'Go-http-client'],
  ['Apache-HttpClient/', 'Apache-HttpClient'],
  ['okhttp/', 'okhttp'],
  ['libwww-perl/', 'libwww-perl'],
  ['Java/', 'Java'],
  ['Edg/', 'Edge'],
  ['EdgA/', 'Edge'],
  ['EdgiOS/', 'Edge'],
  ['Edge/', 'Edge Legacy'],
  ['OPR/', 'Opera'],
  ['Opera Mini/', 'Opera Mini'],
  ['SamsungBrowser/', 'Samsung Internet'],
  ['Vivaldi/', 'Vivaldi'],
  ['YaBrowser/', 'Yandex Browser'],
  ['UCBrowser/', 'UC Browser'],
  ['CriOS/', 'Chrome'],
  ['FxiOS/', 'Firefox'],
  ['SeaMonkey/', 'SeaMonkey'],
  ['Iceweasel/', 'Firefox'],
  ['Firefox/', 'Firefox'],
  ['Chromium/', 'Chromium'],
  ['Chrome/', 'Chrome'],
  ['MSIE ', 'Internet Explorer'],
  ['Trident/7', 'Internet Explorer 11'],
  ['Opera/', 'Opera'],
];

const MAX_AGENT_LENGTH = 1024;

/**
 * A user agent reduced to family and major version, such as `Firefox 128`; `Other` for what is
 * not in the list. Nothing else of the text is kept.
 */
export function userAgentFamily(userAgent: string): string {
  // Every look-up below is a plain search, so the time is linear in what is kept here.
  const text = userAgent.slice(0, MAX_AGENT_LENGTH);
  for (const [token, family] of FAMILIES) {
    const at = text.indexOf(token);
    if (at < 0) continue;
    const major = /[/ ]$/.test(token) ? majorVersion(text, at + token.length) : '';
    return major === '' ? family : `${family} ${major}`;
  }
  const safariAt = text.includes('Safari/') ? text.indexOf('Version/') : -1;
  if (safariAt >= 0) return `Safari ${majorVersion(text, safariAt + 8)}`.trimEnd();
  return 'Other';
}

/** Up to four digits; a longer number is no version, and might be somebody's number. */
function majorVersion(text: string, start: number): string {
  const digits = /^\d{1,5}/.exec(text.slice(start, start + 5))?.[0] ?? '';
  return digits.length <= 4 ? digits : '';
}
