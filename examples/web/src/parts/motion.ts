/** A pause for an animation to be seen; none for players who asked their device for less motion. */
export function motion(milliseconds: number): Promise<void> {
  const pause = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : milliseconds;
  return new Promise((resolve) => setTimeout(resolve, pause));
}
