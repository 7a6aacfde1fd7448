import { expect, it } from 'vitest';
import { serviceEnv } from './service-env.ts';

it('keeps the stack from being sent elsewhere by the caller', () => {
  const caller = {
    PATH: '/bin',
    LOG_LEVEL: 'debug',
    PGOPTIONS: '-c search_path=x',
    AWS_SESSION_TOKEN: 'foreign',
    AWS_ENDPOINT_URL_S3: 'http://elsewhere',
    ANALYTICS_SALT: 'foreign',
    AUDIT_KEY: 'foreign',
    REDIS_URL: 'redis://elsewhere',
  };
  expect(serviceEnv(caller, { REDIS_URL: 'redis://127.0.0.1:1' })).toEqual({
    PATH: '/bin',
    LOG_LEVEL: 'debug',
    REDIS_URL: 'redis://127.0.0.1:1',
  });
});
