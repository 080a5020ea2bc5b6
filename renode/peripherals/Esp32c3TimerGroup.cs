using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Espressif;

namespace Antmicro.Renode.Peripherals.Timers
{
    // Timer group (TRM chapters 11, 12). Modelled: the main watchdog, whose settings take effect with CONF_UPDATE_EN, with its
    // key and interrupt. Not modelled: the general-purpose timer and the RTC calibration.
    public class Esp32c3TimerGroup : IDoubleWordPeripheral, IKnownSize
    {
        // number: 0 or 1. rtc: gets the requests to reset.
        public Esp32c3TimerGroup(IMachine machine, int number, Esp32c3Rtc rtc)
        {
            this.number = number;
            this.rtc = rtc;
            IRQ = new GPIO();
            watchdog = new EspressifWatchdog(machine, this, ApbFrequency, Act);
            registers = new EspressifRegisters(this)
                .With(Watchdog0, 0x00048000).With(Prescaler, 0x00010000).With(0x50, 0x018CBA80).With(0x54, 0x07FFFFFF)
                .With(0x58, 0x000FFFFF).With(0x5C, 0x000FFFFF).With(Feed).With(Key, Unlocked)
                .With(IntEnable, refused: ~WatchdogInterrupt).With(IntRaw, readOnly: true).With(IntStatus, readOnly: true).With(IntClear)
                .With(0xF8, 0x02006191, readOnly: true).With(0xFC, 0x60000000);
        }

        public void Reset()
        {
            registers.Reset();
            watchdog.Reset();
            IRQ.Unset();
        }

        public uint ReadDoubleWord(long offset)
        {
            if(!registers.CanRead(offset)) { return 0; }
            return offset == IntStatus ? registers[IntRaw] & registers[IntEnable] : registers[offset];
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(offset >= Watchdog0 && offset <= Feed && registers[Key] != Unlocked)
            {
                this.Log(LogLevel.Warning, "Register at offset 0x{0:X} is write-protected: 0x{1:X} is ignored", offset, value);
                return;
            }
            if(!registers.CanWrite(offset, value)) { return; }
            registers[offset] = value;
            if(offset == Watchdog0)
            {
                registers[Watchdog0] = value & ~TakeOver;
                if((value & TakeOver) != 0) { Configure(value); }
            }
            else if(offset == Feed) { watchdog.Feed(); }
            else if(offset == IntClear) { registers[IntRaw] &= ~value; }
            IRQ.Set((registers[IntRaw] & registers[IntEnable]) != 0);
        }

        public GPIO IRQ { get; }
        public long Size { get { return 0x1000; } }

        private void Configure(uint conf)
        {
            var actions = new uint[4];
            var ticks = new ulong[4];
            var divider = (ulong)(registers[Prescaler] >> 16) * ((conf & UseCrystal) != 0 ? 2u : 1u);
            for(var n = 0; n < 4; n++)
            {
                actions[n] = conf >> (29 - 2 * n) & 3;
                ticks[n] = registers[0x50 + 4 * n] * (divider == 0 ? 1 : divider);
            }
            watchdog.Configure(conf >> 31 != 0, actions, ticks);
        }

        private void Act(uint action)
        {
            if(action == 1)
            {
                registers[IntRaw] |= WatchdogInterrupt;
                IRQ.Set((registers[IntRaw] & registers[IntEnable]) != 0);
            }
            else { rtc.RequestReset((action == 2 ? 0x0Bu : 0x07u) + (number == 0 ? 0 : action == 2 ? 6u : 1u)); }
        }

        private readonly int number;
        private readonly Esp32c3Rtc rtc;
        private readonly EspressifWatchdog watchdog;
        private readonly EspressifRegisters registers;

        private const ulong ApbFrequency = 80000000;
        private const uint Unlocked = 0x50D83AA1, TakeOver = 1u << 22, UseCrystal = 1u << 21, WatchdogInterrupt = 2;
        private const long Watchdog0 = 0x48, Prescaler = 0x4C, Feed = 0x60, Key = 0x64;
        private const long IntEnable = 0x70, IntRaw = 0x74, IntStatus = 0x78, IntClear = 0x7C;
    }
}
