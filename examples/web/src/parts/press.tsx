import { useLayoutEffect, useRef, type ComponentProps } from "react";

/** A button that keeps the focus while it cannot be pressed: `disabled` would take it away. */
export function Press({ isOff, onPress, ...rest }: { isOff: boolean; onPress: () => void } & ComponentProps<"button">) {
  return <button type="button" aria-disabled={isOff || undefined} onClick={() => isOff || onPress()} {...rest} />;
}

/** What is around a button that goes when it has done its work: it takes over the focus, so that Tab goes on from here. */
export function Place(props: ComponentProps<"div">) {
  const place = useRef<HTMLDivElement>(null);
  const hadFocus = useRef(false);
  useLayoutEffect(() => {
    if (hadFocus.current && !place.current?.contains(document.activeElement)) place.current?.focus();
  });
  return (
    <div
      {...props}
      ref={place}
      tabIndex={-1}
      onFocus={() => {
        hadFocus.current = true;
      }}
      onBlur={(event) => {
        if (event.relatedTarget) hadFocus.current = false; // without one, the button is gone or the window has lost the focus
      }}
    />
  );
}
