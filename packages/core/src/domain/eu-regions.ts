/**
 * Regions of AWS in the European Union, the default of the residency policy. London (eu-west-2) and Zurich
 * (eu-central-2) carry `eu` in their names and are not in it.
 * Source: https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
 */
export const EU_REGIONS = [
  'eu-central-1',
  'eu-north-1',
  'eu-south-1',
  'eu-south-2',
  'eu-west-1',
  'eu-west-3',
  'eusc-de-east-1',
] as const;
