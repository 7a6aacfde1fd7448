// Version 1 had the price as a decimal number: 49.9 becomes 4990. Every currency of the taxonomy has 100 minor units.
export function upcast(properties) {
  const { amount, ...kept } = properties;
  return { ...kept, amount_minor: Math.round(amount * 100) };
}
