/** Loaded before a gateway: its wall clock is off by `CLOCK_OFF_MS`. */

const offMs = Number(process.env.CLOCK_OFF_MS);
const RealDate = Date;

class OffDate extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(OffDate.now());
    else super(...given);
  }
  static now() {
    return RealDate.now() + offMs;
  }
}
Object.assign(globalThis, { Date: OffDate });
