using System;
using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.CPU;

namespace Antmicro.Renode.Peripherals.Espressif
{
    // The 4 MB NOR flash behind a flash controller (Winbond W25Q32JV): read, program, erase, status, identity; page wrap, bits that
    // only turn to 0, write enable, and the time that erasing and programming take (status bit WIP). Not modelled: several lines,
    // suspend, security registers, and that code cannot be fetched meanwhile. The content outlives all resets.
    public class EspressifFlash
    {
        public EspressifFlash(IMachine machine, IPeripheral owner)
        {
            this.machine = machine;
            this.owner = owner;
            for(var i = 0; i < Capacity; i++) { content[i] = 0xFF; }
        }

        public byte[] Transact(byte opcode, uint address, byte[] sent, uint count)
        {
            var answer = new byte[Math.Min(count, 64)];
            var busy = Now() < busyUntil;
            if(opcode == 0x05)
            {
                for(var i = 0; i < answer.Length; i++) { answer[i] = (byte)((busy ? 1 : 0) | (writeEnabled ? 2 : 0)); }
                return answer;
            }
            if(busy)
            {
                owner.Log(LogLevel.Warning, "Command 0x{0:X2} while erasing or programming: it is ignored", opcode);
                return answer;
            }
            switch(opcode)
            {
            case 0x03:
            case 0x0B:
                for(var i = 0; i < answer.Length; i++) { answer[i] = content[(address + i) % Capacity]; }
                break;
            case 0x9F:
                for(var i = 0; i < answer.Length; i++) { answer[i] = i < 3 ? identity[i] : (byte)0; }
                break;
            case 0x06: writeEnabled = true; break;
            case 0x04:
            case 0x66:
            case 0x99:
            case 0xAB: writeEnabled = false; break;
            case 0x02:
                if(!Begin(opcode, ProgramTime)) { break; }
                for(var i = 0u; i < sent.Length; i++) { content[address % Capacity / Page * Page + (address + i) % Page] &= sent[i]; }
                break;
            case 0x20: Erase(opcode, address, 0x1000, 45000); break;
            case 0x52: Erase(opcode, address, 0x8000, 120000); break;
            case 0xD8: Erase(opcode, address, 0x10000, 150000); break;
            case 0xC7: Erase(opcode, address, Capacity, 10000000); break;
            case 0x35:
            case 0x15: break; // status registers 2 and 3: all clear
            default: owner.Log(LogLevel.Warning, "Command 0x{0:X2} is not modelled", opcode); break;
            }
            return answer;
        }

        private void Erase(byte opcode, uint address, uint size, ulong microseconds)
        {
            if(!Begin(opcode, microseconds)) { return; }
            var first = address % Capacity / size * size;
            for(var i = first; i < first + size; i++) { content[i] = 0xFF; }
        }

        private bool Begin(byte opcode, ulong microseconds)
        {
            if(!writeEnabled)
            {
                owner.Log(LogLevel.Warning, "Command 0x{0:X2} without write enable: it is ignored", opcode);
                return false;
            }
            writeEnabled = false;
            busyUntil = Now() + microseconds * 1000;
            return true;
        }

        private ulong Now()
        {
            ICPU cpu;
            if(machine.SystemBus.TryGetCurrentCPU(out cpu)) { cpu.SyncTime(); }
            return machine.ElapsedVirtualTime.TimeElapsed.TotalNanoseconds;
        }

        private bool writeEnabled;
        private ulong busyUntil; // ns
        private readonly byte[] content = new byte[Capacity];
        private readonly byte[] identity = { 0xEF, 0x40, 0x16 };
        private readonly IMachine machine;
        private readonly IPeripheral owner;

        private const uint Capacity = 0x400000, Page = 0x100;
        private const ulong ProgramTime = 400;
    }
}
