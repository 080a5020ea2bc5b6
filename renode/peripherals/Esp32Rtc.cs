using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Espressif;

namespace Antmicro.Renode.Peripherals.Timers
{
    // RTC controller (TRM chapters 9.2, 11.3, 31). Modelled: what EspressifRtc has, RESET_STATE's cause for core 0, the watchdog at
    // 150 kHz. Stored only: CLK_CONF. Not modelled: all else.
    public class Esp32Rtc : EspressifRtc
    {
        public Esp32Rtc(IMachine machine) : base(machine, 150000, 0x34, 0x3C, 0x4C, 0xB0, Watchdog0, 0)
        {
            registers.With(Options0, 0x1C492000).With(0x70, 0x2210).With(Watchdog0, 0x4C80).With(0x90, 0x1F400).With(0x94, 0x13880)
                .With(0x98, 0xFFF).With(0x9C, 0xFFF).With(0xA4, Unlocked);
        }

        public override long Size { get { return 0x400; } }

        private const long Watchdog0 = 0x8C;
    }
}
