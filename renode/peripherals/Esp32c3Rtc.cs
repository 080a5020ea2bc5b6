using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Espressif;

namespace Antmicro.Renode.Peripherals.Timers
{
    // RTC controller (TRM chapters 6, 9, 12). Modelled: what EspressifRtc has, the slow timer (136 kHz), the super watchdog's key.
    // Stored only: the super watchdog, clock and analogue settings. Not modelled: sleep modes, brown-out.
    public class Esp32c3Rtc : EspressifRtc
    {
        // The first stage counts twice, by the eFuse WDT_DELAY_SEL, 0 here.
        public Esp32c3Rtc(IMachine machine) : base(machine, Frequency, 0x38, 0x40, 0x50, 0xB8, Watchdog0, 1)
        {
            registers.With(Options0, 0x1C00A000).With(TimeUpdate).With(TimeLow, readOnly: true).With(TimeHigh, readOnly: true)
                .With(0x1C, 0x28140403).With(0x34, 0x00C40000).With(0x70, 0x11583218).With(0x74, 0x00400000)
                .With(Watchdog0, 0x00012214).With(0x94, 0x00030D40).With(0x98, 0x00013880).With(0x9C, 0xFFF).With(0xA0, 0xFFF)
                .With(0xA8).With(SuperWatchdog, 0x04B00000).With(SuperKey).With(0x1FC, 0x02007270, readOnly: true);
        }

        public override long Size { get { return 0x800; } }

        protected override uint Value(long offset)
        {
            switch(offset)
            {
            case TimeLow: return (uint)time;
            case TimeHigh: return (uint)(time >> 32) & 0xFFFF;
            default: return base.Value(offset);
            }
        }

        protected override bool IsProtected(long offset)
        {
            return offset == SuperWatchdog ? registers[SuperKey] != SuperUnlocked : base.IsProtected(offset);
        }

        protected override void Written(long offset, uint value)
        {
            if(offset == TimeUpdate && value >> 31 != 0)
            {
                time = (ulong)(machine.ElapsedVirtualTime.TimeElapsed.TotalSeconds * Frequency);
            }
            base.Written(offset, value);
        }

        private ulong time;

        private const ulong Frequency = 136000;
        private const uint SuperUnlocked = 0x8F1D312A;
        private const long TimeUpdate = 0x0C, TimeLow = 0x10, TimeHigh = 0x14, Watchdog0 = 0x90, SuperWatchdog = 0xAC, SuperKey = 0xB0;
    }
}
